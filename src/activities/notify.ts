import { buildNotice, postWebhook } from '../notify';
import { TerminalError } from '../errors';
import { attempt } from './attempt';
import type { ActivityDeps } from './options';
import type { Activities } from './types';

export function notify({ contracts }: ActivityDeps): Activities['notify'] {
  return (input) =>
    attempt('notify', async ({ signal }) => {
      const { webhook } = (await contracts.get(input.pipeline)).notify;
      const body = webhook && buildNotice(input);
      if (!webhook || !body) return { sent: false };
      const url = process.env[webhook.urlFrom];
      if (!url) {
        throw new TerminalError(
          'ContractError',
          `notify.webhook.urlFrom of ${input.pipeline} names the environment variable ${webhook.urlFrom}, which this worker does not have: set it where the worker starts`,
        );
      }
      await postWebhook({ url, body, signal });
      return { sent: true };
    });
}
