// Programs that must be on the machine.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { failure } from './errors.mjs';

const remedies = {
  java: 'Install a Java runtime of version 17 or later, or set JAVA_HOME.',
  mvn: 'Install Apache Maven 3.8 or later: the server is fetched with it once.',
};

function executable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path of `java` or `mvn`; throws where it is missing. `what` is what needs it: `start "kafka"`. */
export function program(name, what, environment = process.env) {
  const home = name === 'java' && environment.JAVA_HOME ? [join(environment.JAVA_HOME, 'bin')] : [];
  const folders = [...home, ...(environment.PATH ?? '').split(delimiter).filter(Boolean)];
  const found = folders.map((folder) => join(folder, name)).find(executable);
  if (found === undefined) throw failure(what, `${name} was not found on PATH`, remedies[name]);
  return found;
}
