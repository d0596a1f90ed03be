-- The figures of /watch count orders by month.
CREATE INDEX request_by_time ON request (requested_at);
