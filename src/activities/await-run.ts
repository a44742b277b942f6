import { getClient } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { CANCELLED, type RunSummary } from '../workflows/messages';
import { attempt } from './attempt';
import type { Activities } from './types';

export function awaitRun(): Activities['awaitRun'] {
  return ({ workflowId }) =>
    attempt('awaitRun', async () => {
      try {
        const summary: RunSummary = await getClient().workflow.getHandle(workflowId).result();
        return { ok: true, summary };
      } catch (error) {
        if (!(error instanceof WorkflowFailedError)) throw error;
        const { cause } = error;
        if (cause instanceof CancelledFailure) return { ok: false, failure: CANCELLED };
        const type = cause instanceof ApplicationFailure ? (cause.type ?? 'Error') : (cause?.name ?? 'Error');
        return { ok: false, failure: { type, message: cause?.message ?? error.message } };
      }
    });
}
