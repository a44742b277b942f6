import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import * as names from './messages';
import type {
  CancelRunInput,
  CancelRunResult,
  DoneMessage,
  PauseInput,
  PipelineState,
  RunProgress,
  RunRequest,
  Withdrawal,
} from './messages';

export const requestSignal = defineSignal<[RunRequest]>(names.requestSignal);
export const withdrawSignal = defineSignal<[Withdrawal]>(names.withdrawSignal);
export const doneSignal = defineSignal<[DoneMessage]>(names.doneSignal);
export const stateQuery = defineQuery<PipelineState>(names.stateQuery);
export const progressQuery = defineQuery<RunProgress>(names.progressQuery);
export const pauseUpdate = defineUpdate<PipelineState, [PauseInput?]>(names.pauseUpdate);
export const resumeUpdate = defineUpdate<PipelineState>(names.resumeUpdate);
export const cancelRunUpdate = defineUpdate<CancelRunResult, [CancelRunInput?]>(names.cancelRunUpdate);
