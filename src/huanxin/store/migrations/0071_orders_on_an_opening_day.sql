-- Reports that come late add tenures before that of an order, so their count is no name of it. The day is, and among those that
-- began on one day which of them it was.
ALTER TABLE request ADD COLUMN of_day integer;
COMMENT ON COLUMN request.of_day IS 'which of the tenures that began on opened_on the one of whoever ordered was, from 1; NULL of older orders';
