"""The record of what was cut."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """The first."""

    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Cut",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=32)),
                ("cutoff", models.CharField(max_length=32)),
                ("source", models.CharField(max_length=128)),
                ("tie", models.CharField(max_length=64)),
                ("restored", models.BooleanField(default=False)),
            ],
            options={
                "db_table": "huanxin_cuts",
                "constraints": [
                    models.UniqueConstraint(fields=("number", "cutoff", "source", "tie"), name="huanxin_cuts_once")
                ],
            },
        ),
    ]
