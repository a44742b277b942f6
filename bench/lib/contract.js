'use strict';

const COLUMNS = {
  transaction_id: 'int64',
  user_id: 'int64',
  amount: 'float64',
  currency: 'string',
  status: 'string',
  merchant: 'string',
  transaction_receipt: 'string',
  created_at: 'timestamp[us]',
  updated_at: 'timestamp[us]',
};

/** What everybody computes: the newest version of each transaction, and three gates. */
const sourceContract = ({ raw, out, scope, format = 'directory', ...more }) => ({
  pipeline: 'bench',
  source: { path: raw },
  columns: COLUMNS,
  deduplicate: { primaryKey: 'transaction_id', orderBy: 'updated_at', scope },
  gates: [
    { kind: 'notNull', column: 'user_id', name: 'user_id_not_null' },
    { kind: 'inRange', column: 'amount', greaterThan: 0, name: 'amount_in_range' },
    { kind: 'unique', columns: ['transaction_receipt'], name: 'receipt_unique' },
  ],
  publish: { path: out, format },
  ...more,
});

module.exports = { COLUMNS, sourceContract };
