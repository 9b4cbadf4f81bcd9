export {
  type AsyncApiChannel,
  type AsyncApiDocument,
  type AsyncApiMessage,
  type AsyncApiOptions,
  type AsyncApiServer,
  asyncApi,
} from './asyncapi.ts';
export { documentChanges } from './changes.ts';
export {
  type EventSchema,
  type EventSchemas,
  type JsonSchema,
  type JsonSchemaOptions,
  type JsonSchemaTarget,
  jsonSchemas,
} from './json-schemas.ts';
