// File descriptors for gRPC reflection: one file for each protobuf package, with what it imports, as
// serialized google.protobuf.FileDescriptorProto.

import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';

/** A package's file descriptor. */
export interface PackageDescriptor {
  /** Name of the file by which others import it. */
  readonly file: string;
  readonly imports: readonly string[];
  /** Fully qualified services, messages and enums. */
  readonly symbols: readonly string[];
  readonly bytes: Uint8Array;
}

/** Reads .proto files, with imports resolved by `resolve`. */
export function describePackages(
  files: readonly string[],
  resolve: (importer: string, path: string) => string,
): PackageDescriptor[] {
  const root = new protobuf.Root();
  root.resolvePath = resolve;
  root.loadSync([...files]).resolveAll();
  const set = root.toDescriptor('proto3');
  const imports = importsByPackage(root);
  return set.file!.map(file => {
    const pkg = file.package ?? '';
    const dependency = [...(imports.get(pkg) ?? [])].map(fileOf).sort();
    const name = fileOf(pkg);
    const message = { ...file, name, dependency, syntax: 'proto3' };
    const named = [...(file.messageType ?? []), ...(file.enumType ?? []), ...(file.service ?? [])];
    return {
      file: name,
      imports: dependency,
      symbols: named.map(one => `${pkg}.${one.name}`).sort(),
      bytes: descriptor.FileDescriptorProto.encode(message).finish(),
    };
  });
}

function fileOf(pkg: string): string {
  return `${pkg}.proto`;
}

function packageOf(object: protobuf.ReflectionObject): string {
  let scope = object.parent;
  while (scope instanceof protobuf.Type) scope = scope.parent;
  return scope ? scope.fullName.slice(1) : '';
}

/** Which packages the types of each package refer to. */
function importsByPackage(root: protobuf.Root): Map<string, Set<string>> {
  const imports = new Map<string, Set<string>>();
  const refer = (from: string, to: protobuf.ReflectionObject | null): void => {
    if (!to || packageOf(to) === from) return;
    imports.set(from, (imports.get(from) ?? new Set()).add(packageOf(to)));
  };
  const visit = (namespace: protobuf.NamespaceBase): void => {
    for (const object of namespace.nestedArray) {
      const pkg = packageOf(object);
      if (object instanceof protobuf.Type) {
        for (const field of object.fieldsArray) refer(pkg, field.resolvedType);
      }
      if (object instanceof protobuf.Service) {
        for (const method of object.methodsArray) {
          refer(pkg, method.resolvedRequestType);
          refer(pkg, method.resolvedResponseType);
        }
      }
      if (object instanceof protobuf.Namespace) visit(object);
    }
  };
  visit(root);
  return imports;
}
