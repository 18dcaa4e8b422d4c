-- Usage by its key: an organization that is young in the statistics looks as if it had one event,
-- and an index that begins with it as good as the one of the key; then a repeated report read every
-- event of the organization. A subscription names its organization, so this one need not.
DROP INDEX usage_events_of_subscription;
CREATE INDEX usage_events_of_subscription ON usage_events (subscription_id, occurred_at);
