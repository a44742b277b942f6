import type { z } from 'zod';
import { COLUMN_TYPES, NO_TYPE, readColumnType } from './column-type';
import type { Finding, KeyPath } from './faults';
import { didYouMean } from './nearest';
import { show, valueAt } from './values';

type Issue = z.core.$ZodIssue;

/** Words for what zod expects where a schema gives no words of its own. */
const KINDS: Readonly<Record<string, string>> = {
  object: 'a mapping of keys',
  record: 'a mapping of keys',
  array: 'a list',
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
};

/** What zod found wrong with `root`, in the terms of a contract. */
export function findingsOf(issues: readonly Issue[], root: unknown, prefix: KeyPath = []): Finding[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...(issue.path as (string | number)[])];
    if (issue.code === 'unrecognized_keys') return unknownKeys(issue.keys, issue.message, path);
    if (issue.code === 'invalid_union') {
      const branch = issue.errors.find((nested) => nested.length > 0 && nested.every((inner) => !missesTheForm(inner)));
      if (branch) return findingsOf(branch, root, path);
    }
    return [wrongValue(issue, path, valueAt(root, path))];
  });
}

/** Whether a branch of a union failed on the form of the value (text, list, mapping) and not on something in it. */
function missesTheForm(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_union');
}

function unknownKeys(keys: readonly string[], allowed: string, path: KeyPath): Finding[] {
  return keys.map((key) => ({
    path: [...path, key],
    at: 'key' as const,
    problem: 'unknown key',
    allowed,
    hint:
      key === '<<'
        ? 'merge keys are not supported: write the keys out'
        : didYouMean(
            key,
            allowed.split(', ').filter((known) => known !== '$schema'),
          ),
  }));
}

function wrongValue(issue: Issue, path: KeyPath, value: unknown): Finding {
  const key = String(path.at(-1) ?? '');
  const allowed = allowedBy(issue);
  if (value === undefined) return { path, at: 'value', problem: 'missing', allowed };
  if (value === null) return { path, at: 'value', problem: 'empty', allowed };
  if (key === 'urlFrom') {
    const hint = 'a URL is a secret: put it in the environment and its name here';
    return { path, at: 'value', problem: 'not the name of a variable', allowed, hint };
  }
  return {
    path,
    at: 'value',
    problem: 'not allowed',
    found: show(value),
    allowed,
    hint: typeof value === 'string' && allowed !== undefined ? hintFor(issue, value) : undefined,
  };
}

function allowedBy(issue: Issue): string | undefined {
  if (issue.code === 'invalid_union' && 'options' in issue && Array.isArray(issue.options))
    return issue.options.join(', ');
  if (!issue.message.startsWith('Invalid')) return issue.message;
  if (issue.code === 'invalid_value') return issue.values.map(String).join(', ');
  return issue.code === 'invalid_type' ? (KINDS[issue.expected] ?? issue.expected) : undefined;
}

function hintFor(issue: Issue, value: string): string | undefined {
  if (issue.code === 'invalid_value') return didYouMean(value, issue.values.map(String));
  if (issue.code === 'invalid_union' && 'options' in issue && Array.isArray(issue.options)) {
    return didYouMean(value, issue.options.map(String));
  }
  return undefined;
}

/** A finding about a declared column's type, or null when it is one. */
export function columnTypeFinding(name: string, text: string): Finding | null {
  const parsed = readColumnType(text);
  if (parsed.ok) return null;
  const { problem, hint } = parsed;
  const allowed = problem === NO_TYPE ? COLUMN_TYPES : undefined;
  return { path: ['columns', name], at: 'value', problem, found: show(text), allowed, hint };
}
