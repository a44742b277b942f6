import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
  ...readdirSync(join(ROOT, 'examples'))
    .map((name) => join('examples', name, 'README.md'))
    .filter((name) => existsSync(join(ROOT, name))),
];
const scripts = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> })
  .scripts;

/**
 * The anchors of a page, as GitHub makes them of its headings: lower case, without punctuation, blanks become
 * dashes; those that repeat are numbered.
 */
function anchorsOf(text: string): Set<string> {
  const seen = new Map<string, number>();
  const prose = text.replaceAll(/^```.*?^```$/gms, '');
  const anchors = [...prose.matchAll(/^#{1,6} +(.+?) *#*$/gm)].map(([, heading]) => {
    const shown = heading!.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    const slug = shown
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
      .replaceAll(' ', '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  });
  return new Set(anchors);
}

test('anchors are those that GitHub makes', () => {
  const page = [
    '# Late and gone: deciding',
    '## `publish`',
    '## What *is* [here](x.md)?',
    '## `publish`',
    '```sh',
    '# a comment',
    '```',
    '### Größe, 2 – b_c',
  ];
  expect([...anchorsOf(page.join('\n'))]).toEqual([
    'late-and-gone-deciding',
    'publish',
    'what-is-here',
    'publish-1',
    'größe-2--b_c',
  ]);
});

describe.each(PAGES)('%s', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const all = (pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1]!);

  test('links to files that exist', () => {
    const links = all(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g);
    expect(links.filter((link) => !existsSync(join(ROOT, dirname(page), link)))).toEqual([]);
  });

  test('links to headings that exist', () => {
    const links = [...text.matchAll(/\]\(([^)#:\s]*)#([^)\s]+)\)/g)].map(
      ([, file, anchor]) => [file!, anchor!] as const,
    );
    const lost = links.filter(([file, anchor]) => {
      const target = file === '' ? text : readFileSync(join(ROOT, dirname(page), file), 'utf8');
      return !anchorsOf(target).has(anchor);
    });
    expect(lost).toEqual([]);
  });

  test('names tests that exist', () => {
    expect(all(/`(test\/[\w./-]+\.ts)`/g).filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });

  test('shows npm scripts that exist', () => {
    expect(all(/npm run ([\w:-]+)/g).filter((name) => !(name in scripts))).toEqual([]);
  });
});
