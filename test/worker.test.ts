import { Installation } from './support/installation';

let it_: Installation;
beforeAll(async () => {
  it_ = await Installation.create();
});
afterAll(async () => {
  await it_?.dispose();
});

test('a worker that starts and stops as it should warns of nothing', async () => {
  const worker = await it_.worker({ TIDEGATE_LOG_LEVEL: 'debug' });
  await worker.stop();
  const lines = worker.output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: number; msg: string });
  expect(lines.map(({ msg }) => msg)).toEqual(expect.arrayContaining(['worker started', 'worker stopped']));
  // The data worker has no workflows, on purpose: said, for those who debug.
  expect(lines.find(({ msg }) => msg.startsWith('No workflows registered'))?.level).toBe(20);
  expect(lines.filter(({ level }) => level >= 40)).toEqual([]);
});
