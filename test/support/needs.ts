/** Where nothing may be skipped: in the project's own check of itself, as root on Linux. */
export function nothingMaySkip(ci: string | undefined, platform: string, user: number | undefined): boolean {
  return ci === 'true' && platform === 'linux' && user === 0;
}

/**
 * `test`, or `test.skip` where this machine has not what the tests need; `missing` says what, or is null.
 * @throws Error instead of skipping where nothing may be skipped, so that the file fails with the reason.
 */
export function testUnless(
  missing: string | null,
  strict: boolean = nothingMaySkip(process.env['CI'], process.platform, process.getuid?.()),
): jest.It {
  if (missing === null) return test;
  if (strict) throw new Error(`${missing}. As root under CI no test may be skipped for that.`);
  console.warn(`tests are skipped: ${missing}`);
  return test.skip;
}
