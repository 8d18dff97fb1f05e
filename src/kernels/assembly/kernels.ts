// Everything the module exports. All state lies in the imported memory or in globals of the instance, so
// any number of instances live side by side.

export { xorDecode, xorEncode } from './xor';
