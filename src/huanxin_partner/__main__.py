"""`python -m huanxin_partner`: the same as `huanxin-partner`."""

import sys

from huanxin_partner.cli import main

sys.exit(main())
