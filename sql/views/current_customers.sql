-- Customers at the newest as-of date, with scores and states.
-- tables: customers
CREATE OR REPLACE VIEW current_customers AS
SELECT *
FROM customers
WHERE as_of = (SELECT max(as_of) FROM customers);
