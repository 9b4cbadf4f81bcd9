/** The same object with some of its methods replaced. Everything else goes to the original, also methods that use private fields. */
export function overriding<T extends object>(target: T, methods: Partial<T>): T {
  const bound = new Map<PropertyKey, unknown>();
  return new Proxy(target, {
    get(original, name) {
      if (Object.hasOwn(methods, name)) return Reflect.get(methods, name);
      const value: unknown = Reflect.get(original, name, original);
      if (typeof value !== 'function') return value;
      if (!bound.has(name)) bound.set(name, value.bind(original));
      return bound.get(name);
    },
    set: (original, name, value) => Reflect.set(original, name, value, original),
  });
}
