/** Where Pulsar keeps the schemas of a topic. */
export interface SchemaPlace {
  /** `tenant/namespace/topic`. */
  readonly name: string;
  /** Of the administration API, after the URL. */
  readonly path: string;
}

/** The place of a topic: by its name alone, or `persistent://tenant/namespace/topic`; undefined: Pulsar can have no such topic. */
export function placeOf(topic: string, tenant: string, namespace: string): SchemaPlace | undefined {
  const full = /^(?:non-)?persistent:\/\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(topic);
  const parts = full === null ? [tenant, namespace, topic] : full.slice(1);
  // Dots would climb the path of the URL; partitions share the schemas of their topic.
  if (parts.some((part) => part === '' || part.includes('/') || /^\.+$/.test(part))) return undefined;
  const [first, second, last] = parts as [string, string, string];
  const name = [first, second, last.replace(/-partition-\d+$/, '')];
  if (name.some((part) => /[\p{Cc}\p{Surrogate}]/u.test(part))) return undefined;
  return { name: name.join('/'), path: `admin/v2/schemas/${name.map(encodeURIComponent).join('/')}` };
}
