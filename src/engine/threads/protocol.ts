import type { MessagePort } from 'node:worker_threads';
import type { OutputName } from '../../publish/table';
import type { ResolveInput, ResolveTableInput, TransformInput } from '../inputs';
import type { MakeIndexesInput, TableResolution } from '../table';
import type { PartitionResolution, PartitionResult, Progress } from '../types';
import type { FrozenError } from './errors';

/** An input without what cannot be sent: outputs are named by the caller, who is asked. */
export type Sent<T> = Omit<T, 'outputPath'>;

/** What a thread can do, by name: what it takes and what it gives. */
export interface Tasks {
  readonly resolve: { readonly input: ResolveInput; readonly output: PartitionResolution[] };
  readonly resolveTable: { readonly input: Sent<ResolveTableInput>; readonly output: TableResolution };
  readonly transformPartitions: { readonly input: readonly Sent<TransformInput>[]; readonly output: PartitionResult[] };
  readonly makeIndexes: { readonly input: MakeIndexesInput; readonly output: void };
}
export type TaskName = keyof Tasks;

/** A task, as a thread is given it. */
export interface Task<K extends TaskName> {
  readonly input: Tasks[K]['input'];
  /** To the caller, while the task is under way. */
  readonly port: MessagePort;
}

/** Of threads, each of which waits until all have come: then every one of them has loaded its modules. */
export interface Meeting {
  /** How many have come, in memory that they share. */
  readonly arrived: Int32Array;
  readonly threads: number;
}

/** How a task ended: errors travel as data, so that they keep their kind. */
export type Outcome<T> = { readonly output: T } | { readonly error: FrozenError };

/** What a task may ask its caller. */
export interface Questions {
  /** Where the table wants a file. */
  readonly outputPath: { readonly asked: OutputName; readonly answer: string };
  /** To have indexes made in another thread meanwhile. */
  readonly makeIndexes: { readonly asked: MakeIndexesInput; readonly answer: void };
}
export type QuestionName = keyof Questions;

export type ToCaller =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'question'; readonly id: number; readonly name: QuestionName; readonly asked: unknown };

export type ToThread =
  | { readonly kind: 'abort' }
  | { readonly kind: 'answer'; readonly id: number; readonly outcome: Outcome<unknown> };
