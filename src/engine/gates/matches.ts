import type { MatchesGate } from '../../contract/contract';
import { TerminalError, messageOf } from '../../errors';
import type { GateRule } from './gate-rule';
import { nullPasses } from './literals';
import { pl } from '../polars';

/** The whole value must match (SEMANTICS 5.4). */
export const matches: GateRule<'matches'> = async (gate, { values, type }) => {
  if (type.kind !== 'string') {
    throw new TerminalError('ContractError', `gate ${gate.name}: matches cannot be used on a ${type.kind} column`);
  }
  const whole = await wholePattern(gate);
  return nullPasses(values.str.contains(whole, false, true).not());
};

/** Anchored patterns that were found good, by pattern: the same few are asked for by every partition. */
const KNOWN = new Map<string, string>();
const MOST_KNOWN = 1000;

/**
 * The pattern anchored on both sides. It must be a pattern by itself first, lest `a)|(?:b` break out
 * of the group. In verbose mode (`(?x)`) a comment at its end would swallow the closing parenthesis;
 * only then a line break ends it, which verbose mode ignores.
 */
async function wholePattern(gate: MatchesGate): Promise<string> {
  const known = KNOWN.get(gate.pattern);
  if (known !== undefined) return known;
  const fault = await regexFault(gate.pattern);
  if (fault !== null) throw badPattern(gate, fault);
  const candidates = [String.raw`\A(?:${gate.pattern})\z`, `\\A(?:${gate.pattern}\n)\\z`];
  let last = '';
  for (const candidate of candidates) {
    const problem = await regexFault(candidate);
    if (problem === null) {
      if (KNOWN.size >= MOST_KNOWN) KNOWN.clear();
      KNOWN.set(gate.pattern, candidate);
      return candidate;
    }
    last = problem;
  }
  throw badPattern(gate, last);
}

async function regexFault(pattern: string): Promise<string | null> {
  try {
    const text = pl.Series('text', [''], pl.Utf8);
    await pl
      .DataFrame({ text })
      .lazy()
      .select(pl.col('text').str.contains(pattern, false, true))
      .collect();
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

function badPattern(gate: MatchesGate, fault: string): TerminalError {
  return new TerminalError(
    'ContractError',
    `gate ${gate.name}: ${JSON.stringify(gate.pattern)} is not a regular expression in Rust's syntax:\n${fault}`,
  );
}
