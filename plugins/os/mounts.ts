// The mount table (proc_pid_mountinfo(5)) and what about a mount matters to whoever measures it.

import type { ByteScanner } from '../sdk/byte-scanner.ts';

/** One mounted file system. */
export interface Mount {
  readonly device: string;
  /** As it is exposed: spaces and tabs decoded, other escapes as the kernel writes them. */
  readonly mountPoint: string;
  /** The path to ask the kernel with. */
  readonly path: string;
  readonly type: string;
  readonly major: string;
  readonly minor: string;
  readonly readOnly: boolean;
}

/** Reads a mountinfo file; lines it does not understand are passed over. */
export function parseMounts(scanner: ByteScanner): Mount[] {
  const mounts: Mount[] = [];
  while (scanner.line()) {
    const [, , number, , point, options, ...rest] = scanner.rest().split(' ');
    const dash = rest.indexOf('-');
    const [type, device, superOptions] = rest.slice(dash + 1);
    const [major, minor] = number?.split(':') ?? [];
    if (dash === -1 || !point || !options || !type || device === undefined || !major || !minor) {
      continue;
    }
    const flags = options.split(',');
    const superFlags = superOptions?.split(',') ?? [];
    mounts.push({
      device,
      mountPoint: point.replaceAll('\\040', ' ').replaceAll('\\011', '\t'),
      path: decodeOctal(point),
      type,
      major,
      minor,
      readOnly:
        flags.includes('ro') || superFlags.includes('ro') || superFlags.includes('emergency_ro'),
    });
  }
  return mounts;
}

function decodeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** Types whose statfs answers from memory and cannot hang. */
const ANSWERS_FROM_MEMORY = ['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'tmpfs', 'ramfs'];

/** True where asking for the mount's numbers may block for as long as a server or a device is away. */
export function mayHang(mount: Mount, all: readonly Mount[]): boolean {
  if (!ANSWERS_FROM_MEMORY.includes(mount.type)) return true;
  // The way to a local mount may lead through one that hangs.
  return all.some(
    other =>
      other !== mount &&
      !ANSWERS_FROM_MEMORY.includes(other.type) &&
      other.path !== '/' &&
      isNetworkType(other.type) &&
      mount.path.startsWith(`${other.path}/`),
  );
}

function isNetworkType(type: string): boolean {
  return /^(nfs|cifs|smb|ceph|fuse|9p|afs|lustre|gluster|ocfs2|gfs2)/.test(type);
}
