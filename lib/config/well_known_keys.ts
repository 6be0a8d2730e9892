/**
 * Keys that anybody can look up, as hex: the ones in Maskline's own documents and test vectors, and the
 * digests that people reach for when they want "some 32 bytes".
 */
export const wellKnownKeys: ReadonlySet<string> = new Set([
  // The key of the frozen vectors in tests/mask/mask_test.ts.
  "8f4c1db0a37e52669ed30b17c5f8214a6be0d59c3387f21054dea96b7c0812fd",
  // The public half of the vault key in tests/vault/open_test.ts, whose private half is SHA-256("test").
  "d9d5c57971eefb085e3abaf7a5a4a6cdb8185f30105583cdb09ad8f61886ec65",
  // SHA-256 of nothing, of "password", of "secret" and of "test".
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
  "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  // RFC 4231 test case 4 (0102…19), padded with zeros.
  "0102030405060708090a0b0c0d0e0f1011121314151617181900000000000000",
]);
