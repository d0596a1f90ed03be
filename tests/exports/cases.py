"""Export files, each with what has to come of it: the lines that are read, or why it is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from exports.making import FILES, PACK, columns, feather, ods, parquet, stream, table, text, xlsx, zipped

ONE, TWO = "13800138000", "13800138001"
HEAD, HEAD_EN = ("号码", "事件", "时间"), ("number", "event", "at")
MARCH = [(ONE, "销户", "2026-03-01"), (TWO, "开户", "2026-03-02")]
PLUS = [(f"+86{number}", event, at) for number, event, at in MARCH]
DAY, TIME = date(2026, 3, 1), datetime(2026, 3, 2, 8, 5)  # noqa: DTZ001  # a cell knows no zone
TITLE = "中国移动2026年3月号码变更清单"


@dataclass(frozen=True, kw_only=True)
class Case:
    """`lines`: of the file, that are read, or bad ones where `bad` says why; `whole`: why the whole file is refused."""

    content: bytes
    lines: Sequence[int] = (2, 3)
    bad: dict[int, str] = field(default_factory=dict)
    whole: str = ""


def at(*written: str) -> bytes:
    """The two of March, and others like the second, at times that are written so."""
    rows = [MARCH[0], *[MARCH[1]] * (len(written) - 1)]
    return table([HEAD, *((*row[:2], when) for row, when in zip(rows, written, strict=True))])


CASES: dict[str, Case] = {
    # Text
    "plain CSV": Case(content=table([HEAD, *PLUS])),
    "UTF-8 with its mark, from Excel": Case(content=table([HEAD, *MARCH], encoding="utf-8-sig")),
    "GB18030, from a Chinese Excel": Case(content=table([HEAD, *MARCH], encoding="gb18030")),
    "Unicode text, from Excel": Case(content=table([HEAD, *MARCH], "\t", "utf-16")),
    "UTF-16 without its mark": Case(content=table([HEAD, *MARCH], "\t", "utf-16-le")),
    "UTF-16, the other way round": Case(content=b"\xfe\xff" + table([HEAD, *MARCH], encoding="utf-16-be")),
    "semicolons, from a European Excel": Case(content=table([HEAD, *MARCH], ";")),
    "bars, from a database": Case(content=table([HEAD_EN, *PLUS], "|", end="\n")),
    "tabs, from a terminal": Case(content=table([HEAD_EN, *PLUS], "\t", end="\n")),
    "full-width commas, typed": Case(content=table([HEAD, *MARCH], "，"), whole="full-width commas"),
    "sep= for Excel": Case(content=text("sep=;", *(";".join(row) for row in (HEAD, *MARCH))), lines=(3, 4)),
    "line ends of an old Macintosh": Case(content=table([HEAD, *MARCH], end="\r")),
    "no line end at all": Case(content=text(*(",".join(row) for row in (HEAD, *MARCH)), last="")),
    "Ctrl-Z of DOS": Case(content=text(*(",".join(row) for row in (HEAD, *MARCH)), last="\r\n\x1a")),
    "everything in quotes": Case(content=table([[f'"{cell}"' for cell in row] for row in (HEAD, *MARCH)])),
    "quotes behind spaces": Case(content=table([[f' "{cell}" ' for cell in row] for row in (HEAD, *MARCH)])),
    "tabs that keep digits": Case(content=table([[f"{cell}\t" for cell in row] for row in (HEAD, *MARCH)])),
    "a formula that keeps digits": Case(content=table([HEAD, *((f'"=""{row[0]}"""', *row[1:]) for row in MARCH)])),
    "an apostrophe that keeps digits": Case(content=table([HEAD, *((f"'{row[0]}", *row[1:]) for row in MARCH)])),
    "a title, and a blank line": Case(content=text(TITLE, "", *(",".join(row) for row in (HEAD, *MARCH))), lines=(4, 5)),
    "a title over all columns": Case(content=table([(TITLE, "", ""), HEAD, *MARCH]), lines=(3, 4)),
    "whose it is and when it was made": Case(
        content=table([(TITLE,), ("制表时间：", "2026-04-01 08:00"), ("联系人", TWO), HEAD, *MARCH]), lines=(5, 6)
    ),
    "a total": Case(content=table([HEAD, *MARCH, ("合计", 2, "")])),
    "a total in words": Case(content=text(*(",".join(row) for row in (HEAD, *MARCH)), "共 2 条记录", "")),
    "rows affected, from a database": Case(
        content=text(*(",".join(row) for row in (HEAD_EN, *PLUS)), "", "(2 rows affected)")
    ),
    "a total between the lines": Case(content=table([HEAD, MARCH[0], ("小计", 1, ""), MARCH[1]]), lines=(2, 4), bad={3: ""}),
    "separators at the end of all lines": Case(content=table([(*row, "") for row in (HEAD, *MARCH)])),
    "separators at the end of the rows": Case(content=table([HEAD, *((*row, "", "") for row in MARCH)])),
    "separators at the end of the heading": Case(content=table([(*HEAD, "", ""), *MARCH])),
    "remarks that Excel left out": Case(content=table([(*HEAD, "备注"), (*MARCH[0], "误销"), MARCH[1]])),
    "columns of others between": Case(
        content=table(
            [
                ("序号", "号码", "套餐", "事件", "时间"),
                *((at, row[0], "x,y".replace(",", " "), *row[1:]) for at, row in enumerate(MARCH)),
            ]
        )
    ),
    "a remark in two lines": Case(content=table([(*HEAD, "备注"), (*MARCH[0], '"a\r\nb"'), (*MARCH[1], "")])),
    "a heading in two lines": Case(
        content=table([("号码", "事件", "时间", '"备注\n(选填)"'), *((*row, "") for row in MARCH)])
    ),
    "a line that was cut": Case(content=table([HEAD, *MARCH])[:-20], lines=(2,), bad={3: ""}),
    "a heading in the middle, of two files in one": Case(
        content=table([HEAD, MARCH[0], HEAD, MARCH[1]]), lines=(2, 4), bad={3: ""}
    ),
    "no heading": Case(content=table(MARCH), whole="must name the columns"),
    "a web page that is called .xls": Case(content=b"<html><table><tr><td>1</td></tr></table></html>", whole="web page"),
    "a workbook of 2003 in XML": Case(content=b'<?xml version="1.0"?><Workbook></Workbook>', whole="web page or XML"),
    # Cells
    "days as Excel writes them": Case(content=at("2026/3/1", "2026/3/2 8:05")),
    "days in Chinese": Case(content=at("2026年3月1日", "2026年3月2日")),
    "days with dots": Case(content=at("2026.3.1", "2026.03.02")),
    "days as numbers": Case(content=at("20260301", "20260302")),
    "instants as numbers": Case(content=at("20260301080000", "20260302080500")),
    "instants with an offset": Case(content=at("2026-03-01 08:00:00 +0800", "2026-03-02T08:05+08:00")),
    "morning and afternoon": Case(content=at("2026-03-01 上午8:05", "2026-03-02 下午3:05")),
    "days that could be two": Case(content=at("03/04/2026", "04/03/2026"), lines=(), bad={2: "", 3: ""}),
    "headings of a billing system": Case(content=table([("用户号码", "业务类型", "变更时间"), *MARCH])),
    "headings in English": Case(content=table([("MSISDN", "event", "date"), (ONE, "Cancelled", DAY), (TWO, "opened", DAY)])),
    "other words for what happened": Case(content=table([HEAD, (ONE, "拆机", DAY), (TWO, "入网", DAY)])),
    "a number that another program rounded": Case(
        content=table([HEAD, ("1.38E+10", "销户", DAY), MARCH[1]]), lines=(3,), bad={2: "rounded"}
    ),
    "scientific notation with all digits": Case(
        content=table([HEAD, ("8.613800138000E+12", "销户", DAY), ("8.613800138001E+12", "开户", DAY)])
    ),
    "numbers as people write them": Case(
        content=table([HEAD, ("86-138-0013-8000", "销户", DAY), ("(+86) 138 0013 8001", "开户", DAY)])
    ),
    "xlsx with days as bare numbers": Case(content=xlsx([HEAD, (ONE, "销户", 46082), (TWO, "开户", 46083)])),
    # Packed
    "gzip": Case(content=PACK["gzip"](table([HEAD, *MARCH]))),
    "bzip2 in GB18030": Case(content=PACK["bz2"](table([HEAD, *MARCH], encoding="gb18030"))),
    "xz": Case(content=PACK["xz"](table([HEAD, *MARCH]))),
    "zstd with tabs": Case(content=PACK["zstd"](table([HEAD, *MARCH], "\t"))),
    "a ZIP archive": Case(content=zipped(table([HEAD, *MARCH]), "清单.csv")),
    "a ZIP archive with a workbook": Case(content=zipped(xlsx([HEAD, *MARCH]), "清单.xlsx")),
    "a ZIP archive of two months": Case(content=zipped(table([HEAD, *MARCH]), "3.csv", "4.csv"), whole="holds 2 files"),
    # Workbooks
    "xlsx": Case(content=xlsx([HEAD, *MARCH])),
    "xlsx with numbers and days as such": Case(content=xlsx([HEAD, (int(ONE), "销户", DAY), (8613800138001, "开户", TIME)])),
    "xlsx with a title, a total and empty sheets": Case(
        content=xlsx([(TITLE,), (), HEAD, *MARCH, ("合计", 2)], sheets=("清单", "Sheet2", "Sheet3")), lines=(4, 5)
    ),
    "xlsx with a number that was rounded": Case(
        content=xlsx([HEAD, (8.61381e12, "销户", DAY), (int(TWO), "开户", DAY)]), lines=(3,), bad={2: "rounded"}
    ),
    "xlsx with a look-up that failed": Case(
        content=xlsx([HEAD, ("#N/A", "销户", DAY), (int(TWO), "开户", DAY)]), lines=(3,), bad={2: "error or a formula"}
    ),
    "xls with a title and a total": Case(content=(FILES / "report.xls").read_bytes(), lines=(3, 4)),
    "xls with numbers as such": Case(content=(FILES / "numbers.xls").read_bytes()),
    "ods": Case(content=ods([(TITLE,), HEAD, (int(ONE), "销户", DAY), (TWO, "开户", TIME), ("合计", 2)]), lines=(3, 4)),
    "ods with a look-up that failed": Case(
        content=ods([HEAD, ("=NA()", "销户", DAY), (TWO, "开户", TIME)]), lines=(3,), bad={2: "error or a formula"}
    ),
    "a workbook that was cut": Case(content=xlsx([HEAD, *MARCH])[:2000], whole="Excel workbook"),
    # Columns
    "Parquet": Case(content=parquet(columns([row[0] for row in PLUS], ["cancelled", "opened"], [DAY, DAY])), lines=(1, 2)),
    "Parquet with numbers as such": Case(
        content=parquet(columns([int(ONE), int(TWO)], ["销户", "开户"], [TIME, TIME])), lines=(1, 2)
    ),
    "Parquet with numbers as decimals": Case(
        content=parquet(columns([float(ONE), float(TWO)], ["销户", "开户"], [TIME, TIME])), lines=(1, 2)
    ),
    "Feather": Case(content=feather(columns([ONE, TWO], ["销户", "开户"], [DAY, DAY])), lines=(1, 2)),
    "an Arrow stream": Case(content=stream(columns([ONE, TWO], ["销户", "开户"], [TIME, TIME])), lines=(1, 2)),
    "Feather, packed again": Case(
        content=zipped(feather(columns([ONE, TWO], ["销户", "开户"], [DAY, DAY]), "zstd"), "a.feather"), lines=(1, 2)
    ),
}
"""By what they are."""
