package import Base

extension Settings {
    /// Answers that are kept and given again. Everything can be changed while running.
    package struct Cache: Sendable, Equatable {
        /// Layer 1; 0: without it.
        package var memory = ByteCount.mebibytes(64)
        /// Layer 2, `cache.lmdb`; 0: without it.
        package var disk = ByteCount.gibibytes(1)
        /// Layer 3, `cache.db`; 0: without it.
        package var database = ByteCount.gibibytes(4)
        /// How long a new answer is fresh; nil (`auto`): by what was asked and by what refreshes find.
        package var ttl: Duration?
        /// For models that have none of their own.
        package var policy = CachePolicy.standard
        /// After its life an answer is given this long while a new one is fetched behind it.
        package var staleWhileRevalidate = Duration.seconds(60)
        /// After its life an answer is given this long when the provider fails.
        package var staleIfError = Duration.seconds(3_600)
        /// An answer with more bytes than this is not kept.
        package var entryLimit = ByteCount.mebibytes(8)
    }

    /// How much of what may be kept is kept.
    package enum CachePolicy: String, Sendable, CaseIterable {
        /// Answers to requests without a temperature, with temperature 0 or with a seed.
        case standard
        /// Answers to requests with temperature 0 or a seed.
        case strict
        /// Everything that may be kept.
        case all
        /// Nothing.
        case off
    }
}
