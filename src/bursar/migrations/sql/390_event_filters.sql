-- A filter of the event log that leaves little, a rare type or a span of days, need not read all of it.
-- Summaries of whole ranges of pages cost a commit next to nothing, which a tree of every row would not.
CREATE INDEX events_by_type ON events USING brin (type text_bloom_ops) WITH (pages_per_range = 32);
CREATE INDEX events_by_day ON events USING brin (occurred_at) WITH (pages_per_range = 32);
