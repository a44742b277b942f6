import fc from 'fast-check';
import type { PartitionDate } from '../../src/discovery/partition-date';
import { CANCELLED, type RunRequest, type RunSummary } from '../../src/workflows/messages';
import { type Outcome, RequestQueue, skipped } from '../../src/workflows/request-queue';

const AT = '2026-05-01T00:00:00.000Z';

function request(id: string, kind: 'incremental' | 'backfill' = 'incremental', attempt = 'a1'): RunRequest {
  const scope = kind === 'incremental' ? ({ kind } as const) : ({ kind, select: 'all' } as const);
  return { requestId: id, attempt, scope, replyTo: { workflowId: `wf-${id}`, runId: attempt } };
}

function done(requestId: string): Outcome {
  const summary: RunSummary = {
    ...skipped('p', requestId, 'incremental', null),
    status: 'committed',
    reason: undefined,
  };
  return { ok: true, summary };
}
const day = (text: string) => text as PartitionDate;
const failed: Outcome = { ok: false, failure: { type: 'SchemaMismatch', message: 'no' } };

test('incremental requests that have not started share one run; backfills do not', () => {
  const queue = new RequestQueue();
  for (const id of ['i1', 'i2', 'i3']) queue.accept(request(id));
  queue.accept(request('b1', 'backfill'));
  queue.accept(request('b2', 'backfill'));
  expect(queue.start()?.requestId).toBe('i1');
  expect(queue.finish(done('i1'), AT).map((waiter) => waiter.requestId)).toEqual(['i1', 'i2', 'i3']);
  expect(queue.queued()).toEqual({ ids: ['b1', 'b2'], count: 2 });
});

test('a request for a run under way waits for the next one, unless it is the same request', () => {
  const queue = new RequestQueue();
  queue.accept(request('i1'));
  queue.start();
  queue.accept(request('i2'));
  queue.accept(request('i1'));
  expect(queue.running?.waiters).toHaveLength(1);
  expect(queue.queued().ids).toEqual(['i2']);
});

test('an incremental request that asks for one exact plan shares its run with nobody', () => {
  const queue = new RequestQueue();
  queue.accept(request('i1'));
  queue.accept({ ...request('i2'), plan: 'abc' });
  queue.accept(request('i3'));
  expect(queue.start()?.waiters.map((waiter) => waiter.requestId)).toEqual(['i1', 'i3']);
  expect(queue.finish(done('i1'), AT)).toHaveLength(2);
  expect(queue.start()).toMatchObject({ requestId: 'i2', plan: 'abc' });
});

test('requests with other decisions have runs of their own, whoever comes first; those with the same share one', () => {
  const queue = new RequestQueue();
  const late = { kind: 'incremental', includeLate: 'all' } as const;
  const gone = { kind: 'incremental', removeGone: [day('2026-05-01'), day('2026-05-02')] } as const;
  const asked = [
    request('plain 1'),
    { ...request('late 1'), scope: late },
    request('plain 2'),
    { ...request('gone 1'), scope: gone },
    { ...request('both'), scope: { ...late, removeGone: gone.removeGone } },
    { ...request('late 2'), scope: late },
    { ...request('gone 2'), scope: structuredClone(gone) },
    { ...request('other dates'), scope: { kind: 'incremental', removeGone: [day('2026-05-01')] } as const },
  ];
  for (const one of asked) queue.accept(one);
  const runs = [];
  for (let entry = queue.start(); entry; entry = queue.start()) {
    runs.push([entry.scope, entry.waiters.map(({ requestId }) => requestId)]);
    queue.finish(done(entry.requestId), AT);
  }
  expect(runs).toEqual([
    [{ kind: 'incremental' }, ['plain 1', 'plain 2']],
    [late, ['late 1', 'late 2']],
    [gone, ['gone 1', 'gone 2']],
    [{ ...late, ...gone }, ['both']],
    [{ kind: 'incremental', removeGone: ['2026-05-01'] }, ['other dates']],
  ]);
});

test('a committed request answers with its outcome, whoever asks', () => {
  const queue = new RequestQueue();
  queue.accept(request('i1'));
  queue.start();
  queue.finish(done('i1'), AT);
  expect(queue.accept(request('i1', 'incremental', 'a2'))).toEqual(done('i1'));
  expect(queue.isEmpty).toBe(true);
});

test('a failed request answers its own attempt with the failure, and runs again for a new attempt', () => {
  const queue = new RequestQueue();
  queue.accept(request('i1'));
  queue.start();
  queue.finish(failed, AT);
  expect(queue.accept(request('i1'))).toEqual(failed);
  expect(queue.accept(request('i1', 'incremental', 'a2'))).toBeNull();
  expect(queue.start()?.requestId).toBe('i1');
});

test('a request skipped while paused runs for a new attempt', () => {
  const queue = new RequestQueue();
  queue.accept(request('i1'));
  queue.dismissIncremental((entry) => ({ ok: true, summary: skipped('p', entry.requestId, 'incremental', null) }), AT);
  expect(queue.outcomes).toMatchObject([{ requestId: 'i1', status: 'skipped' }]);
  expect(queue.accept(request('i1', 'incremental', 'a2'))).toBeNull();
});

test('a request nobody waits for any more is dropped, or cancelled when it runs', () => {
  const queue = new RequestQueue();
  queue.accept(request('i1'));
  queue.start();
  queue.accept(request('b1', 'backfill'));
  expect(queue.withdraw(request('b1'))).toEqual({ cancelRunning: false });
  expect(queue.isEmpty).toBe(true);
  expect(queue.withdraw(request('i1'))).toEqual({ cancelRunning: true });
  expect(queue.finish({ ok: false, failure: CANCELLED }, AT)).toEqual([]);
});

test('cancelling a request that shares its run leaves the run to the others', () => {
  const queue = new RequestQueue();
  for (const id of ['i1', 'i2', 'i3']) queue.accept(request(id));
  const queued = queue.cancel('i1', CANCELLED, AT);
  expect(queued).toMatchObject({
    was: 'queued',
    cancelRunning: false,
    told: [{ requestId: 'i1' }],
    others: ['i2', 'i3'],
  });
  queue.start();
  expect(queue.cancel('i2', CANCELLED, AT)).toMatchObject({ was: 'running', cancelRunning: false, others: ['i3'] });
  expect(queue.cancel('i3', CANCELLED, AT)).toMatchObject({ was: 'running', cancelRunning: true, told: [] });
  expect(queue.finish({ ok: false, failure: CANCELLED }, AT).map((waiter) => waiter.requestId)).toEqual(['i3']);
});

test('cancelling the only request of a run that waits drops the run; an unknown one is nothing to cancel', () => {
  const queue = new RequestQueue();
  queue.accept(request('b1', 'backfill'));
  expect(queue.cancel('b1', CANCELLED, AT)).toMatchObject({ was: 'queued', told: [{ requestId: 'b1' }], others: [] });
  expect(queue.isEmpty).toBe(true);
  expect(queue.outcomes).toMatchObject([{ requestId: 'b1', status: 'failed' }]);
  expect(queue.cancel('b2', CANCELLED, AT)).toMatchObject({ was: null });
});

test('no more than 1,000 requests wait; those beyond ask again later', () => {
  const queue = new RequestQueue();
  for (let id = 0; id < 1200; id += 1) queue.accept(request(`i${id}`));
  expect(queue.queued().count).toBe(1000);
  queue.accept(request('i1199'));
  expect(queue.queued()).toMatchObject({ count: 1000 });
  expect(queue.queued().ids).toHaveLength(100);
});

test('a waiter who asks again is told once', () => {
  const queue = new RequestQueue();
  queue.accept(request('b1', 'backfill'));
  queue.accept(request('b1', 'backfill'));
  queue.start();
  queue.accept(request('b1', 'backfill'));
  expect(queue.finish(done('b1'), AT)).toHaveLength(1);
});

/** One step of a history of messages. */
const step = fc.oneof(
  fc.record({
    do: fc.constant('ask' as const),
    id: fc.integer({ min: 0, max: 30 }),
    attempt: fc.integer({ min: 1, max: 2 }),
    decision: fc.constantFrom(
      {},
      {},
      { includeLate: 'all' as const },
      { removeGone: 'all' as const },
      { removeGone: [day('2026-05-01')] },
    ),
  }),
  fc.record({ do: fc.constant('start' as const) }),
  fc.record({ do: fc.constant('finish' as const), ok: fc.boolean() }),
  fc.record({ do: fc.constant('carry' as const) }),
);

test('for any sequence of messages: every request that waits is answered, kinds alternate, state stays bounded', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      let queue = new RequestQueue();
      const open = new Set<string>();
      let last: string | null = null;
      const decided: Record<string, object> = {};
      const finish = (outcome: (id: string) => Outcome): void => {
        const entry = queue.running;
        if (entry) for (const waiter of queue.finish(outcome(entry.requestId), AT)) open.delete(waiter.requestId);
      };
      const start = (): void => {
        if (queue.running) return;
        const kinds = new Set(queue.carry().entries.map((entry) => entry.scope.kind));
        const entry = queue.start();
        if (entry && kinds.size === 2 && last !== null) expect(entry.scope.kind).not.toBe(last);
        last = entry?.scope.kind ?? last;
      };
      for (const action of steps) {
        if (action.do === 'ask') {
          const asked = request(
            `r${action.id}`,
            action.id % 3 === 0 ? 'backfill' : 'incremental',
            `a${action.attempt}`,
          );
          // An id stands for one request: its decision is always the same.
          const decision = (decided[asked.requestId] ??= asked.scope.kind === 'incremental' ? action.decision : {});
          const full = { ...asked, scope: { ...asked.scope, ...decision } };
          if (queue.accept(full) === null) open.add(asked.requestId);
        } else if (action.do === 'start') start();
        else if (action.do === 'finish') finish((id) => (action.ok ? done(id) : failed));
        else if (!queue.running) queue = new RequestQueue(JSON.parse(JSON.stringify(queue.carry())));
        const incremental = queue.carry().entries.filter((entry) => entry.scope.kind === 'incremental');
        expect(new Set(incremental.map(({ scope }) => JSON.stringify(scope))).size).toBe(incremental.length);
        for (const { scope, waiters } of [...incremental, ...(queue.running ? [queue.running] : [])]) {
          if (scope.kind !== 'incremental') continue;
          for (const { requestId } of waiters) expect(scope).toEqual({ kind: 'incremental', ...decided[requestId] });
        }
        expect(queue.outcomes.length).toBeLessThanOrEqual(20);
      }
      while (queue.running || !queue.isEmpty) {
        start();
        finish(done);
      }
      expect([...open]).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
