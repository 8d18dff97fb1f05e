declare module 'snappyjs' {
  const snappy: {
    uncompress(bytes: Uint8Array, lengthMax?: number): Uint8Array;
    compress(bytes: Uint8Array): Uint8Array;
  };
  export default snappy;
}
