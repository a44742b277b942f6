import fc from 'fast-check';
import {
  parseCancelRun,
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
