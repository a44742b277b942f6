import fc from 'fast-check';
import { freeze, thaw } from '../../src/engine/threads/errors';
import { TerminalError, TerminalErrorType, VoidPlan } from '../../src/errors';

test('what is frozen thaws as it was', () => {
  const message = fc.string();
  const leaf = fc.oneof(
    fc.tuple(fc.constantFrom(...Object.values(TerminalErrorType)), message).map((it) => new TerminalError(...it)),
    message.map((reason) => new VoidPlan(reason)),
    fc.tuple(message, fc.constantFrom('EIO', 'ENOSPC')).map(([what, code]) => Object.assign(new Error(what), { code })),
    message.map((what) => new RangeError(what)),
  );
  fc.assert(
    fc.property(leaf, fc.option(leaf), (inner, outer) => {
      const error = outer === null ? inner : new Error(outer.message, { cause: inner });
      const thawed = thaw(structuredClone(freeze(error)));
      const told = (some: Error): unknown[] =>
        ['name', 'message', 'stack', 'code', 'type', 'reason'].map((field) => some[field as keyof Error]);
      expect(told(thawed)).toEqual(told(error));
      if (error.name === 'TerminalError') expect(thawed).toBeInstanceOf(TerminalError);
      if (error.name === 'VoidPlan') expect(thawed).toBeInstanceOf(VoidPlan);
      expect((thawed.cause as Error | undefined)?.message).toBe((error.cause as Error | undefined)?.message);
    }),
  );
});
