/// The variables by which numeric libraries choose their number of threads.
///
/// Source: the manuals of OpenMP (OMP_NUM_THREADS), OpenBLAS, GotoBLAS, MKL, BLIS and NumExpr.
package enum ThreadVariables {
    /// Their names.
    package static let names = [
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
    ]

    /// What to set for a worker of `threads` threads; a variable that the user has set is left alone.
    package static func values(threads: Int, isSet: (String) -> Bool) -> [String: String] {
        Dictionary(uniqueKeysWithValues: names.filter { !isSet($0) }.map { ($0, String(threads)) })
    }
}
