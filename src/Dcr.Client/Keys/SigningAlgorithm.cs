namespace Dcr.Client;

/// <summary>How a key signs: the names of RFC 7518 section 3.1.</summary>
public enum SigningAlgorithm
{
    /// <summary>ECDSA on P-256: small, fast, and what device keystores hold. The best choice where there is one.</summary>
    ES256,

    /// <summary>ECDSA on P-384.</summary>
    ES384,

    /// <summary>ECDSA on P-521.</summary>
    ES512,

    /// <summary>RSA with the PSS padding and SHA-256: the best choice for an RSA key.</summary>
    PS256,

    /// <summary>RSA with the PSS padding and SHA-384.</summary>
    PS384,

    /// <summary>RSA with the PSS padding and SHA-512.</summary>
    PS512,

    /// <summary>RSA with the older PKCS#1 v1.5 padding and SHA-256, for keys whose holder can do nothing else.</summary>
    RS256,

    /// <summary>RSA with the PKCS#1 v1.5 padding and SHA-384.</summary>
    RS384,

    /// <summary>RSA with the PKCS#1 v1.5 padding and SHA-512.</summary>
    RS512,
}
