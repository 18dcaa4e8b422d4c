-- name: insert_member
-- One place per person and organization, and one invitation per address.
INSERT INTO members (
    org_id, id, user_id, role, status, email, token_hash, invited_until,
    version, sequence, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: update_member
-- Replaces exactly the version before.
UPDATE members SET
    user_id = $3, role = $4, status = $5, email = $6, token_hash = $7, invited_until = $8,
    version = $9, sequence = $10, updated_at = $12
WHERE org_id = $1 AND id = $2 AND version = $9 - 1 AND created_at = $11;

-- name: get_member
-- One place of the bound organization that is taken or kept, locked.
SELECT * FROM members WHERE org_id = $1 AND id = $2 AND status <> 'removed' FOR NO KEY UPDATE;

-- name: member_of_user
-- The place a person has in the bound organization, locked.
SELECT * FROM members WHERE org_id = $1 AND user_id = $2 AND status = 'active' FOR NO KEY UPDATE;

-- name: invited_member
-- The place that is kept for an address, locked; also when its time is over.
SELECT * FROM members WHERE org_id = $1 AND email = $2 AND status = 'invited' FOR NO KEY UPDATE;

-- name: has_email
-- Whether somebody with this address has a place in the bound organization.
SELECT sec.has_member($1);

-- name: other_owners
-- How many owners the bound organization has besides one.
SELECT count(*)::integer FROM members
WHERE org_id = $1 AND id <> $2 AND role = 'owner' AND status = 'active';

-- name: count_members
-- How many places are taken or kept.
SELECT count(*)::integer FROM members WHERE org_id = $1 AND status <> 'removed';

-- name: find_invitation
-- From a token's keyed hashes to the organization and the place; nothing once it is used or over.
SELECT f.org_id, f.id FROM sec.find_invitation($1) AS f;

-- name: addresses
-- Whom the bound organization writes to: its people with one of these roles.
SELECT email, name FROM sec.member_addresses($1);
