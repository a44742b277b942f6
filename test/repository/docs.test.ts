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

describe.each(PAGES)('%s', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const all = (pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1]!);

  test('links to files that exist', () => {
    const links = all(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g);
    expect(links.filter((link) => !existsSync(join(ROOT, dirname(page), link)))).toEqual([]);
  });

  test('names tests that exist', () => {
    expect(all(/`(test\/[\w./-]+\.ts)`/g).filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });

  test('shows npm scripts that exist', () => {
    expect(all(/npm run ([\w:-]+)/g).filter((name) => !(name in scripts))).toEqual([]);
  });
});
