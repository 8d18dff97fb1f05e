// The procedures of NFS 2 (RFC 1094) and 3 (RFC 1813) in the order of their numbers, which is that of the
// kernel's statistics; client and server share them.

export const V2_PROCEDURES =
  'Null GetAttr SetAttr Root Lookup ReadLink Read WrCache Write Create Remove Rename Link SymLink ' +
  'MkDir RmDir ReadDir FsStat';

export const V3_PROCEDURES =
  'Null GetAttr SetAttr Lookup Access ReadLink Read Write Create MkDir SymLink MkNod Remove RmDir ' +
  'Rename Link ReadDir ReadDirPlus FsStat FsInfo PathConf Commit';
