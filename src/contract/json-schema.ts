import { z } from 'zod';
import { pipelineSchema } from './schema';

/** The JSON Schema of the source form, for editors; draft 7, which they know best. */
export function pipelineJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(pipelineSchema, { io: 'input', target: 'draft-7' }) as JsonSchema;
  return { title: 'Tidegate pipeline', ...schema };
}

/** The parts of JSON Schema that the reference is made from. */
export interface JsonSchema {
  readonly title?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly additionalProperties?: boolean | JsonSchema;
}
