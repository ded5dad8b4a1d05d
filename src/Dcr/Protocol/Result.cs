using System.Diagnostics.CodeAnalysis;

namespace Dcr.Protocol;

/// <summary>A value, or the refusal that stands in its place.</summary>
internal sealed class Result<T> : IRefusable<Result<T>>
    where T : notnull
{
    private Result(T? value, OAuthError? error)
    {
        Value = value;
        Error = error;
    }

    public T? Value { get; }

    public OAuthError? Error { get; }

    [MemberNotNullWhen(true, nameof(Value))]
    [MemberNotNullWhen(false, nameof(Error))]
    public bool IsSuccess => Error is null;

    internal static Result<T> Of(T value) => new(value, null);

    static Result<T> IRefusable<Result<T>>.Refuse(OAuthError error) => new(default, error);

    [SuppressMessage("Usage", "CA2225", Justification = "The conversion is the constructor: a handler returns the value itself.")]
    public static implicit operator Result<T>(T value) => new(value, null);

    [SuppressMessage("Usage", "CA2225", Justification = "The conversion is the constructor: a handler returns the error itself.")]
    public static implicit operator Result<T>(OAuthError error) => new(default, error);
}

/// <summary>Makes results of values that convert to none by themselves, such as interfaces.</summary>
internal static class Result
{
    public static Result<T> Of<T>(T value)
        where T : notnull => Result<T>.Of(value);

    /// <summary>Success, with a value that may be absent.</summary>
    public static Result<Optional<T>> OfOptional<T>(T? value)
        where T : class => new Optional<T>(value);
}

/// <summary>A value, or nothing where nothing is right.</summary>
public readonly record struct Optional<T>(T? Value)
    where T : class;

/// <summary>A response that can be a refusal: what the behaviours of the pipeline need to know of it.</summary>
internal interface IRefusable
{
    /// <summary>The refusal that it is. Null: it is none.</summary>
    OAuthError? Error { get; }
}

/// <inheritdoc cref="IRefusable"/>
internal interface IRefusable<out TSelf> : IRefusable
{
    static abstract TSelf Refuse(OAuthError error);
}
