import { executeChild, proxyActivities } from '@temporalio/workflow';
import { incrementalRun } from 'tidegate/workflows';
import type { Sale, ShopActivities } from './activities';

/** Tidegate's workflows, beside ours in one bundle: a worker serves what this file exports. */
export * from 'tidegate/workflows';

const { collectSales, tellShop } = proxyActivities<ShopActivities>({ startToCloseTimeout: '5 minutes' });

/** A shop's day: collect it, take it through the gates, tell the shop. */
export async function closeDay(date: string, sales: readonly Sale[]): Promise<string> {
  await collectSales({ date, sales });
  // The requester: it fails when the run failed, and asked again it never publishes twice.
  const summary = await executeChild(incrementalRun, { args: [{ pipeline: 'sales' }] });
  return await tellShop({ date, summary });
}
