-- Shorter paths: what makes a hot request cost fewer round trips.
SELECT 1;
