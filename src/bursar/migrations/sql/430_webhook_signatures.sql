-- Whether an endpoint is sent the signature over the body alone, which whoever records it can replay.
ALTER TABLE webhook_subscriptions ADD COLUMN has_body_signature boolean NOT NULL DEFAULT true;
