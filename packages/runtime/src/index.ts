export { type ConfigOf, type ConfigSources, type Fields, loadConfig } from './config.ts';
export { type ConsoleLoggerOptions, createConsoleLogger, type LogLevel, logLevels } from './console-logger.ts';
export { type Container, createContainer, type Factories, type Get } from './container.ts';
export { type Field, type FieldOptions, field, Refusal, withDefault } from './fields.ts';
export { type BackendLoader, createRuntime, type Runtime, type RuntimeOptions } from './runtime.ts';
export { Secret } from './secret.ts';
export {
  type KafkaSecuritySettings,
  kafkaSecurity,
  type PulsarSecuritySettings,
  pulsarSecurity,
  type SecurityConfig,
  securityFields,
} from './security-settings.ts';
export { clickhouseFields, messagingFields, pulsarUrls, tenantOptions } from './settings.ts';
export { closeOnSignal, type ShutdownOptions, signalExitCode } from './shutdown.ts';
