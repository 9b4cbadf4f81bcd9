// Sessions of the embedded engine, lent to one request at a time and given back as they were.
import { drainPending, Session } from 'chdb';

const quoted = (value) => `'${String(value).replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
const named = (name) => `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
/** Statements that change the session they run in: it is not used again. */
const changesSession = /^\s*(?:--[^\n]*\n\s*)*(?:SET|USE|CREATE\s+(?:OR\s+REPLACE\s+)?TEMPORARY)\b/i;

export class Sessions {
  #path;
  #idle = [];
  #waiting = [];
  #open = 0;
  #most;

  constructor(path, most) {
    this.#path = path;
    this.#most = most;
    // The first one creates or opens the data: what is wrong with it shows at once.
    this.#idle.push(this.#create());
  }

  #create() {
    const session = new Session(this.#path);
    this.#open += 1;
    return session;
  }

  /** Runs `work` in a session with these settings and this database, which hold for it alone. */
  async use({ query, settings, database }, work) {
    const session = this.#idle.pop() ?? (this.#open < this.#most ? this.#create() : await this.#next());
    let clean = !changesSession.test(query);
    try {
      if (database !== undefined) await session.queryAsync(`USE ${named(database)}`);
      for (const [name, value] of settings) await session.queryAsync(`SET ${named(name)} = ${quoted(value)}`);
      return await work(session);
    } finally {
      if (clean) clean = await restored(session, settings, database);
      this.#giveBack(session, clean);
    }
  }

  #next() {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #giveBack(used, clean) {
    let session = used;
    if (!clean) {
      used.close();
      this.#open -= 1;
      session = this.#create();
    }
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(session);
    else next(session);
  }

  /** What runs goes on to its end; nothing is left open. */
  async close() {
    for (const session of this.#idle.splice(0)) session.close();
    await drainPending();
  }
}

/** Whether the session is as it was before; without settings there is nothing to do. */
async function restored(session, settings, database) {
  try {
    for (const [name] of settings) await session.queryAsync(`SET ${named(name)} = DEFAULT`);
    if (database !== undefined) await session.queryAsync('USE default');
    return true;
  } catch {
    return false;
  }
}
