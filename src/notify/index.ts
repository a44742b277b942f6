/** Telling people: what is said of a run, and posting it to a webhook. */
export { buildNotice } from './notice';
export type { Notice, NoticeInput } from './notice';
export { postWebhook } from './webhook';
export type { WebhookPost } from './webhook';
