"""The pages people see: plain values in (`views`, `report_data`), HTML out (`render`, `report`)."""
