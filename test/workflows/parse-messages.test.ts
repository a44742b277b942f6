import fc from 'fast-check';
import {
  parseCancelRun,
  parseIncremental,
  parsePause,
  parseRequest,
  parseWithdrawal,
  requestIdFault,
} from '../../src/workflows/parse-messages';

const request = {
  requestId: 'wf/run',
  attempt: 'run',
  scope: { kind: 'backfill', from: '2026-05-01', to: '2026-05-07' },
  replyTo: { workflowId: 'wf', runId: 'run' },
};

test('a request is taken as it is, without what does not belong', () => {
  expect(parseRequest({ ...request, plan: 'abc', more: 1 })).toEqual({ ...request, plan: 'abc' });
  expect(parseRequest({ ...request, scope: { kind: 'incremental', from: 'x' } })).toMatchObject({
    scope: { kind: 'incremental' },
  });
});

test('decisions of an incremental request come through in order, each date once; none is no decision', () => {
  const scopeOf = (scope: object) => parseRequest({ ...request, scope: { kind: 'incremental', ...scope } })?.scope;
  expect(scopeOf({ includeLate: 'all', removeGone: ['2026-05-02', '2026-05-01', '2026-05-02'] })).toEqual({
    kind: 'incremental',
    includeLate: 'all',
    removeGone: ['2026-05-01', '2026-05-02'],
  });
  expect(scopeOf({ includeLate: [], removeGone: null })).toEqual({ kind: 'incremental' });
});

test.each([
  [{ includeLate: true }, 'includeLate is "all" or a list of at most 1000 dates such as ["2026-05-01"], found true'],
  [{ includeLate: '2026-05-01' }, 'found "2026-05-01"'],
  [{ includeLate: '' }, 'found ""'],
  [{ removeGone: ['2026-05-01', '2026-02-30'] }, 'removeGone is "all" or a list'],
  [{ removeGone: ['2026-05-01', '2026-02-30'] }, 'found "2026-02-30" in it'],
  [{ removeGone: [7] }, 'found 7 in it'],
  [{ removeGone: Array(1001).fill('2026-05-01') }, 'found 1001'],
])('%j is no decision: the requester is told, and a request with it is dropped', (decision, message) => {
  expect(parseIncremental(decision)).toContain(message);
  expect(parseRequest({ ...request, scope: { kind: 'incremental', ...decision } })).toBeNull();
});

test.each([
  [{}],
  [null],
  ['text'],
  [{ ...request, requestId: 42 }],
  [{ ...request, requestId: 'x'.repeat(1200) }],
  [{ ...request, attempt: undefined }],
  [{ ...request, scope: { kind: 'backfill', from: '2026-02-30', to: '2026-03-01' } }],
  [{ ...request, scope: { kind: 'backfill', from: '2026-03-02', to: '2026-03-01' } }],
  [{ ...request, scope: { kind: 'drop' } }],
  [{ ...request, replyTo: { workflowId: 'wf' } }],
  [{ ...request, plan: 7 }],
])('%j is no request', (message) => {
  expect(parseRequest(message)).toBeNull();
});

test('for any JSON, parsing throws nothing', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      parseRequest(value);
      parseWithdrawal(value);
      parseCancelRun(value);
      expect(parsePause(value).note.length).toBeLessThanOrEqual(1000);
    }),
  );
});

test('a cancellation that names something else than a request id is refused, not taken for "whatever runs"', () => {
  expect(parseCancelRun(undefined)).toEqual({});
  expect(parseCancelRun({ requestId: 'a/b' })).toEqual({ requestId: 'a/b' });
  expect(parseCancelRun('a/b')).toContain('cancelRun takes {"requestId": "…"} or nothing, found "a/b"');
  expect(parseCancelRun({ requestId: 7 })).toContain('a request id is text, found 7');
});

test('the length of a request id is counted in bytes', () => {
  expect(requestIdFault('é'.repeat(350))).toBeNull();
  expect(requestIdFault('é'.repeat(351))).toContain('a request id has 1 to 700 bytes, found 702');
  expect(requestIdFault('')).toContain('found 0');
});
