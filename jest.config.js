const { availableParallelism } = require('node:os');

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  // Generous: machines differ, and a busy one must not fail what is right.
  testTimeout: 180_000,
  // Tests on real servers wait more than they compute: one worker less than cores, the default, would leave cores idle.
  maxWorkers: Math.max(2, availableParallelism()) + 1,
  testSequencer: '<rootDir>/test/support/longest-first.js',
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  transform: {
    '^.+\\.[jt]s$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
  // These packages are published as ES modules only; Jest runs CommonJS.
  transformIgnorePatterns: ['/node_modules/(?!(hyparquet|p-map|env-paths|is-safe-filename)/)'],
};
