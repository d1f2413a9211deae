import Glibc

func sine(_ angle: Double) -> Double { sin(angle) }

extension Double {
    func power(_ exponent: Double) -> Double { pow(self, exponent) }
}
