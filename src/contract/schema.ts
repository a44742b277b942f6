export type PipelineSource = Record<string, unknown>;
