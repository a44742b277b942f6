/** The folder in which this user's Tidegate keeps what can be had again. */
export async function userCacheFolder(): Promise<string> {
  const { default: envPaths } = await import('env-paths');
  return envPaths('tidegate', { suffix: '' }).cache;
}
