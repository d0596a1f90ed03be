"""When the row that lost its number was bound: what tells it from another that has its key by now."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """What was cut before has no such time; it is given back to a row that is older than the cut-off."""

    dependencies = [("huanxin_partner", "0001_initial")]
    operations = [
        migrations.AddField(model_name="cut", name="bound_at", field=models.CharField(default="", max_length=64)),
    ]
