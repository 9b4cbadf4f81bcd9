export { createPulsarAdmin, type PulsarAdmin, type PulsarAdminOptions } from './admin/create-admin.ts';
export type {
  NamespacePolicyValues,
  PolicyScope,
  SchemaCompatibility,
  TopicPolicyValues,
} from './admin/policies.ts';
export type { PulsarPolicies, TenantOptions, WorkStatus } from './admin/pulsar-policies.ts';
export type { Retention } from './admin.ts';
export type { PulsarConnectionOptions } from './connection-options.ts';
export type { SubscriptionType } from './driver.ts';
export type { PulsarTransportOptions } from './options.ts';
export type { OAuth2Options } from './security/oauth2.ts';
export type { PulsarAuthentication, PulsarSecurityOptions } from './security/security.ts';
export type { PulsarTls } from './security/tls.ts';
export { createPulsarTransport, type PulsarTransport } from './transport.ts';
