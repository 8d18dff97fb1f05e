// Users of this host by name, as /etc/passwd has them.

import { readFileSync } from 'node:fs';

/** Who a process can run as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** The account of a name or number; null where there is none. */
export function findAccount(user: string, passwd: string = '/etc/passwd'): Account | null {
  let text: string;
  try {
    text = readFileSync(passwd, 'utf8');
  } catch {
    return null;
  }
  for (const line of text.split('\n')) {
    // name:password:uid:gid:…
    const [name, , uid, gid] = line.split(':');
    if (gid === undefined || (name !== user && uid !== user)) continue;
    return { uid: Number(uid), gid: Number(gid) };
  }
  return null;
}
