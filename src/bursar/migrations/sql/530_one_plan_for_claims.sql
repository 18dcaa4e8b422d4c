-- Claims of deliveries are planned once a session: for each few lanes that are ready, a plan was made anew,
-- and took longer than the claim. Whatever waits is found by index, however much there is of it.
ALTER FUNCTION sec.claim_deliveries(integer, integer, uuid, interval)
SET plan_cache_mode = force_generic_plan;
