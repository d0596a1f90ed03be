"""The commands of `huanxin-partner`. Each module adds itself to the parser with `add`, and has a `run`."""
