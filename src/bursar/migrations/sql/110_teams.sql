-- Teams: invitations, roles, organization settings, API keys.
SELECT 1;
